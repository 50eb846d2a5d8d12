"""What is made from the settings' schema: the tables of docs/settings.md and its Danish page, and the templates for Group
Policy. `make settings` runs it.

    python .ci/settings_tables.py

`tables()` gives each file's text; a test holds the files to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from softphone.domain.purpose import Language  # noqa: E402
from softphone.system.settings_registry import ROOT as KEY  # noqa: E402
from softphone.system.settings_schema import ACCOUNT_SCHEMA, SCHEMA, Scope, Setting  # noqa: E402
from softphone.texts import Texts  # noqa: E402

ADMX = Path("resources/installer/windows/admx")
DOCUMENTS = {Language.EN: Path("docs/settings.md"), Language.DA: Path("docs/da/settings.md")}
BEGIN, END = "<!-- made by .ci/settings_tables.py from here -->", "<!-- to here -->"
CULTURES = {Language.DA: "da-DK", Language.EN: "en-US"}
SPACE = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
SECTIONS = {
    "accounts_list": "settings.account",
    "policy": "settings.policy",
    "archive": "archive_section",
    "network": "settings.network",
    "sound": "settings.sound",
    "appearance": "settings.appearance",
    "plugins": "plugins_section",
}
_WORDS = {
    "archive_section": {
        Language.EN: "Recordings and backup",
        Language.DA: "Optagelser og sikkerhedskopi",
    },
    "plugins_section": {
        Language.EN: "Plugins",
        Language.DA: "Plugins",
    },
    "supported": {
        Language.EN: "Klartone on Windows 10 and later",
        Language.DA: "Klartone på Windows 10 og nyere",
    },
    "locked": {
        Language.EN: "Locked settings",
        Language.DA: "Låste indstillinger",
    },
    "default": {
        Language.EN: "Default settings (users may change them)",
        Language.DA: "Standardindstillinger (brugerne kan ændre dem)",
    },
    "locked.help": {
        Language.EN: "Locked: no user can change it. It holds from Klartone's next start.",
        Language.DA: "Låst: Ingen bruger kan ændre den. Den gælder, næste gang Klartone starter.",
    },
    "default.help": {
        Language.EN: (
            "A default: it holds until the user chooses something else. It takes effect at Klartone's next start."
        ),
        Language.DA: (
            "En standard: Den gælder, indtil brugeren vælger noget andet. Den virker, næste gang Klartone starter."
        ),
    },
    "by_user": {
        Language.EN: "{user} stands for the name that Windows knows the user by.",
        Language.DA: "{user} står for det navn, Windows kender brugeren under.",
    },
    "accounts": {
        Language.EN: (
            "This sets the first account. Further ones are written in a settings file, or in the keys "
            "accounts\\2 to accounts\\7."
        ),
        Language.DA: (
            "Her sættes den første konto. Flere skrives i en fil med indstillinger eller i nøglerne "
            "accounts\\2 til accounts\\7."
        ),
    },
    "file": {
        Language.EN: "Settings file for the whole machine",
        Language.DA: "Fil med indstillinger for hele computeren",
    },
    "file.help": {
        Language.EN: (
            "Whole path of a TOML file with the tables [default] and [locked], which only administrators "
            "can write. What is set here in Group Policy wins over it."
        ),
        Language.DA: (
            "Hele stien til en TOML-fil med tabellerne [default] og [locked], som kun administratorer kan "
            "skrive i. Det, der er sat her i gruppepolitik, vinder over den."
        ),
    },
}
"""said in Group Policy's editor alone"""
_COLUMNS = {
    Language.EN: ("key", "kind", "default", "who sets it", "meaning"),
    Language.DA: ("nøgle", "art", "standard", "hvem sætter den", "betydning"),
}
_KINDS = {
    Language.EN: {"text": "text", "yes_no": "true or false", "list": "list of texts", "accounts": "list of tables"},
    Language.DA: {
        "text": "tekst",
        "yes_no": "true eller false",
        "list": "liste af tekster",
        "accounts": "liste af tabeller",
    },
}
_SAID = {
    Language.EN: {
        "number": "number, {low} to {high}",
        "none": "none",
        Scope.BOTH: "user, machine",
        Scope.USER: "user",
        Scope.MACHINE: "machine",
        "accounts": "Keys of an account (`[[accounts]]`, or `[[locked.accounts]]` for a whole machine):",
    },
    Language.DA: {
        "number": "tal, {low} til {high}",
        "none": "ingen",
        Scope.BOTH: "bruger, computer",
        Scope.USER: "bruger",
        Scope.MACHINE: "computer",
        "accounts": "Nøgler i en konto (`[[accounts]]`, eller `[[locked.accounts]]` for hele computeren):",
    },
}
"""said in the documents alone"""
WAYS = ("Locked", "Default")
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_ATTRIBUTES = f'xmlns="{SPACE}" revision="1.0" schemaVersion="1.0"'


def tables(root: Path = ROOT) -> dict[Path, str]:
    """By the file's place in the project."""
    texts = {one: Texts(root / "resources" / "translations", one) for one in Language}
    made = {ADMX / "klartone.admx": _admx()}
    for language, path in DOCUMENTS.items():
        before, _, rest = (root / path).read_text(encoding="utf-8").partition(BEGIN)
        made[path] = f"{before}{BEGIN}\n\n{_document(texts[language])}\n{END}{rest.partition(END)[2]}"
    return made | {ADMX / culture / "klartone.adml": _adml(texts[one]) for one, culture in CULTURES.items()}


# --- the document ------------------------------------------------------------------------------------


def _document(tell: Texts) -> str:
    said, columns = _SAID[tell.language], _COLUMNS[tell.language]
    lines = [*_head(columns), *(_row(one, tell) for one in SCHEMA)]
    lines += ["", said["accounts"], "", *_head([*columns[:3], columns[4]])]
    lines += [_row(one, tell, who=False) for one in ACCOUNT_SCHEMA]
    return "\n".join(lines) + "\n"


def _head(columns: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]


def _row(one: Setting, tell: Texts, *, who: bool = True) -> str:
    said = _SAID[tell.language]
    kind = _KINDS[tell.language].get(one.kind, one.kind)
    if one.choices:
        kind = ", ".join(f"`{each}`" for each in one.choices)
    if one.high is not None:
        kind = said["number"].format(low=one.low, high=one.high)
    default = _default(one, said["none"])
    return f"| {' | '.join([f'`{one.key}`', kind, default, *([said[one.scope]] if who else []), tell(one.help)])} |"


def _default(one: Setting, none: str) -> str:
    if one.key in ("id", "address"):
        return ""
    if one.default in (None, "", ()):
        return none
    return f"`{str(one.default).lower() if isinstance(one.default, bool) else one.default}`"


# --- Group Policy ------------------------------------------------------------------------------------


def _managed() -> Iterator[tuple[str, Setting]]:
    for way in WAYS:
        yield from ((way, one) for one in SCHEMA if one.scope is not Scope.USER)


def _ways_of(one: Setting) -> tuple[str, ...]:
    """What no user may set has no default that a user could change."""
    return WAYS if one.scope is Scope.BOTH else WAYS[:1]


def _admx() -> str:
    out = [
        f"{_HEAD}<policyDefinitions {_ATTRIBUTES}>",
        "  <policyNamespaces>",
        '    <target prefix="klartone" namespace="Klartone.Policies"/>',
        "  </policyNamespaces>",
        '  <resources minRequiredRevision="1.0"/>',
        "  <supportedOn>",
        "    <definitions>",
        '      <definition name="Supported" displayName="$(string.Supported)"/>',
        "    </definitions>",
        "  </supportedOn>",
        "  <categories>",
        '    <category name="Klartone" displayName="$(string.Klartone)"/>',
    ]
    for way in WAYS:
        out += _category(way, "Klartone")
        sections = dict.fromkeys(one.section for each, one in _managed() if each == way and way in _ways_of(one))
        for section in sections:
            out += _category(_part(way, section), way)
    out += ["  </categories>", "  <policies>"]
    for way, one in _managed():
        if way in _ways_of(one):
            out += _policy(way, one)
    out += _settings_file()
    return "\n".join([*out, "  </policies>", "</policyDefinitions>", ""])


def _part(way: str, section: str) -> str:
    """A part of the settings, whose name may be one of its settings' too."""
    return f"{way}_part_{section}"


def _category(name: str, parent: str) -> list[str]:
    return [
        f'    <category name="{name}" displayName="$(string.{name})">',
        f'      <parentCategory ref="{parent}"/>',
        "    </category>",
    ]


def _policy(way: str, one: Setting) -> list[str]:
    name = f"{way}_{one.key}"
    key = f"{KEY}\\{way}" + (r"\accounts\1" if one.kind == "accounts" else "")
    plain = one.kind == "yes_no"
    more = f' valueName="{one.key}"' if plain else f' presentation="$(presentation.{name})"'
    out = [
        f'    <policy name="{name}" class="Machine" displayName="$(string.{name})" '
        f'explainText="$(string.Help_{way}_{one.key})" key="{key}"{more}>',
        f'      <parentCategory ref="{_part(way, one.section)}"/>',
        '      <supportedOn ref="Supported"/>',
    ]
    if plain:
        out += _yes_and_no("enabledValue", "disabledValue", "      ")
    else:
        of = ACCOUNT_SCHEMA if one.kind == "accounts" else (one,)
        out += ["      <elements>", *(line for each in of for line in _element(each)), "      </elements>"]
    return [*out, "    </policy>"]


def _settings_file() -> list[str]:
    return [
        '    <policy name="SettingsFile" class="Machine" displayName="$(string.SettingsFile)" '
        f'explainText="$(string.Help_SettingsFile)" key="{KEY}" presentation="$(presentation.SettingsFile)">',
        '      <parentCategory ref="Klartone"/>',
        '      <supportedOn ref="Supported"/>',
        "      <elements>",
        '        <text id="SettingsFile" valueName="SettingsFile" required="true"/>',
        "      </elements>",
        "    </policy>",
    ]


def _element(one: Setting) -> list[str]:
    needed = ' required="true"' if one.section != "accounts" or one.key in ("id", "address") else ""
    head = f'id="{one.key}" valueName="{one.key}"{needed}'
    match one.kind:
        case "number":
            return [f'        <decimal {head} minValue="{one.low}" maxValue="{one.high}"/>']
        case "list":
            return [f"        <multiText {head}/>"]
        case "yes_no":
            return [
                f"        <boolean {head}>",
                *_yes_and_no("trueValue", "falseValue", "          "),
                "        </boolean>",
            ]
        case "choice":
            items = (
                f'          <item displayName="$(string.{_word(one, each)})">'
                f"<value><string>{each}</string></value></item>"
                for each in one.choices
            )
            return [f"        <enum {head}>", *items, "        </enum>"]
        case _:
            return [f"        <text {head}/>"]


def _yes_and_no(yes: str, no: str, indent: str) -> list[str]:
    return [f'{indent}<{name}><decimal value="{n}"/></{name}>' for name, n in ((yes, 1), (no, 0))]


def _word(one: Setting, choice: str) -> str:
    return f"Choice_{one.key}_{choice}"


def _adml(tell: Texts) -> str:
    strings = {
        "Supported": _word_of("supported", tell),
        "Klartone": "Klartone",
        "Locked": _word_of("locked", tell),
        "Default": _word_of("default", tell),
        "SettingsFile": _word_of("file", tell),
        "Help_SettingsFile": _word_of("file.help", tell),
    }
    file = f'<textBox refId="SettingsFile"><label>{escape(_word_of("file", tell))}</label></textBox>'
    presentations = [_presentation("SettingsFile", [file])]
    for way, one in _managed():
        if way not in _ways_of(one):
            continue
        name = f"{way}_{one.key}"
        strings[_part(way, one.section)] = _word_of(SECTIONS[one.section], tell)
        strings[name] = tell(one.label)
        more = [_word_of("locked.help" if way == "Locked" else "default.help", tell)]
        if one.by_user:
            more.append(_word_of("by_user", tell))
        if one.kind == "accounts":
            more.append(_word_of("accounts", tell))
        strings[f"Help_{way}_{one.key}"] = "\n\n".join([tell(one.help), *more])
        if one.kind != "yes_no":
            of = ACCOUNT_SCHEMA if one.kind == "accounts" else (one,)
            presentations.append(_presentation(name, [line for each in of for line in _control(each, tell)]))
        for each in (one, *(ACCOUNT_SCHEMA if one.kind == "accounts" else ())):
            strings |= {_word(each, word): _said(each, word, tell) for word in each.choices}
    table = [f"      <string id={quoteattr(id)}>{escape(text)}</string>" for id, text in strings.items()]
    return "\n".join(
        [
            f"{_HEAD}<policyDefinitionResources {_ATTRIBUTES}>",
            "  <displayName>Klartone</displayName>",
            f"  <description>{escape(tell('cli.about'))}</description>",
            "  <resources>",
            "    <stringTable>",
            *table,
            "    </stringTable>",
            "    <presentationTable>",
            *presentations,
            "    </presentationTable>",
            "  </resources>",
            "</policyDefinitionResources>",
            "",
        ]
    )


def _word_of(code: str, tell: Texts) -> str:
    return _WORDS[code][tell.language] if code in _WORDS else tell(code)


def _presentation(id: str, controls: list[str]) -> str:
    return "\n".join(
        [f'      <presentation id="{id}">', *(f"        {one}" for one in controls), "      </presentation>"]
    )


def _control(one: Setting, tell: Texts) -> list[str]:
    label = escape(tell(one.label))
    match one.kind:
        case "number":
            return [f'<decimalTextBox refId="{one.key}" defaultValue="{one.default}">{label}</decimalTextBox>']
        case "list":
            return [f"<text>{label}</text>", f'<multiTextBox refId="{one.key}"/>']
        case "yes_no":
            return [f'<checkBox refId="{one.key}" defaultChecked="{str(one.default).lower()}">{label}</checkBox>']
        case "choice":
            standard = one.choices.index(one.default) if one.default in one.choices else 0
            return [f'<dropdownList refId="{one.key}" noSort="true" defaultItem="{standard}">{label}</dropdownList>']
        case _:
            return [f'<textBox refId="{one.key}"><label>{label}</label></textBox>']


def _said(one: Setting, word: str, tell: Texts) -> str:
    """A choice as the window words it, with the word itself, which a file would have."""
    code = {"language": "", "transport": ""}.get(one.key, f"{one.label}.{word}")
    shown = {"da": "Dansk", "en": "English"}.get(word, word.upper()) if not code else tell(code)
    return shown if shown.lower() == word.lower() else f"{shown} ({word})"


def main() -> int:
    for path, text in tables().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

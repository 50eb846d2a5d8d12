"""What a Linux desktop reads of the program: the entry in its menu, the shop's page (AppStream), and a user's unit of systemd."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape


def desktop_entry(told: dict[str, Any]) -> str:
    keywords = {language: "".join(f"{word};" for word in words) for language, words in told["keywords"].items()}
    lines = ["[Desktop Entry]", "Type=Application", "Version=1.5", f"Name={told['title']}"]
    for key, texts in (("GenericName", told["generic"]), ("Comment", told["summary"]), ("Keywords", keywords)):
        lines += [f"{key}={texts['en']}", f"{key}[da]={texts['da']}"]
    lines += [f"Exec={told['programs']['console']} desk -- %u", f"Icon={told['name']}", "Terminal=false"]
    lines += [f"Categories={''.join(f'{one};' for one in told['categories'])}"]
    lines += [f"MimeType={''.join(f'x-scheme-handler/{one};' for one in told['schemes'])}"]
    lines += [f"StartupWMClass={told['name']}", "StartupNotify=true"]
    return "\n".join(lines) + "\n"


def metainfo(told: dict[str, Any], made_at: int) -> str:
    """For `appstreamcli validate`."""
    day = datetime.fromtimestamp(made_at, UTC).date().isoformat()
    paragraphs = [
        f"    <p{'' if language == 'en' else f' xml:lang={chr(34)}{language}{chr(34)}'}>{escape(text)}</p>"
        for number in range(len(told["description"]["en"]))
        for language in ("en", "da")
        for text in [told["description"][language][number]]
    ]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<component type="desktop-application">',
        f"  <id>{told['id']}</id>",
        "  <metadata_license>CC0-1.0</metadata_license>",
        f"  <project_license>{told['licence']}</project_license>",
        f"  <name>{told['title']}</name>",
        f'  <developer id="dk.klartone"><name>{escape(told["maker"])}</name></developer>',
        f"  <summary>{escape(told['summary']['en'])}</summary>",
        f'  <summary xml:lang="da">{escape(told["summary"]["da"])}</summary>',
        "  <description>",
        *paragraphs,
        "  </description>",
        f'  <launchable type="desktop-id">{told["name"]}.desktop</launchable>',
        f'  <icon type="stock">{told["name"]}</icon>',
        "  <categories>",
        *(f"    <category>{one}</category>" for one in told["categories"]),
        "  </categories>",
        "  <provides>",
        f"    <binary>{told['programs']['console']}</binary>",
        *(f"    <mediatype>x-scheme-handler/{one}</mediatype>" for one in told["schemes"]),
        "  </provides>",
        '  <content_rating type="oars-1.1"><content_attribute id="social-audio">intense</content_attribute></content_rating>',
        f'  <releases><release version="{told["version"]}" date="{day}"/></releases>',
        "</component>",
    ]
    return "\n".join(lines) + "\n"


def user_unit(told: dict[str, Any]) -> str:
    """Not enabled: `systemctl --user enable klartone`, or `--global` for everybody. A desk that is stopped ends no call: the
    engine is left to itself, which goes once its last call has."""
    return "\n".join(
        [
            "[Unit]",
            f"Description={told['title']}: {told['summary']['en']}",
            "PartOf=graphical-session.target",
            "After=graphical-session.target",
            "",
            "[Service]",
            f"ExecStart=/usr/bin/{told['programs']['console']} desk",
            "Restart=on-failure",
            "KillMode=process",
            "",
            "[Install]",
            "WantedBy=graphical-session.target",
            "",
        ]
    )

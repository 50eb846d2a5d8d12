"""`python -m tests.pictures [FOLDER]`: every row of the desk's states in both languages, and a page to see them on.

FOLDER (build/pictures) gets `<row>-<da|en>-<way>.png` and index.html, an earlier run's removed first. The ways are light, dark,
grey, 320 px wide, at 200 % and in the largest text. `--readme` also renews the two of docs/pictures, where every row came to
its pictures. `--review`, `--house` and `--only ROW` take these alone, and leave all others as they are.
"""

from __future__ import annotations

import argparse
import html
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from softphone.domain.purpose import Language
from softphone.system.paths import program_folder
from softphone.wire.snapshot import TextSize
from tests.pictures import house, review
from tests.pictures.rows import BESIDE, ROWS
from tests.pictures.scenes import SCENES, WITHOUT_POLICY, scenes_of, without_policy
from tests.pictures.studio import Studio, studio

if TYPE_CHECKING:
    from softphone.ui.pictures import Picture

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("light", "dark", "grey", "narrow", "double", "largest")
"""as the colour-blind may see it; 320 px wide; at 200 %; in the largest text"""
ALL = ROWS | BESIDE | house.ROWS | review.PICTURES | house.REVIEWS
README = {"light": "recording-en-light.png", "dark": "locked-en-dark.png"}


def main() -> int:
    """Status 1 where a scene did not come about, or a row not to its pictures. All others are drawn, and it is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "build" / "pictures")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--review", action="store_true", help="the team lead's review alone")
    which.add_argument("--readme", action="store_true", help="renew docs/pictures too")
    which.add_argument("--house", action="store_true", help="what a house's agent and leads see alone")
    which.add_argument(
        "--only", metavar="ROW", default="", choices=sorted(ROWS | BESIDE), help="one row of the desk's alone"
    )
    options = parser.parse_args()
    folder: Path = options.folder
    of_house = house.ROWS | house.REVIEWS
    rows = review.PICTURES if options.review else of_house if options.house else ALL
    if options.only:
        rows = {options.only: rows[options.only]}
    folder.mkdir(parents=True, exist_ok=True)
    for name in rows:
        for file in pictures_of(name, folder):
            file.unlink(missing_ok=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from softphone.ui.pictures import Camera
    from softphone.ui.window import NARROWEST

    resources = program_folder("resources")
    where = (resources / "translations", resources / "icons", resources / "themes")
    camera = Camera(*where)
    others = {
        "narrow": Camera(*where, width=NARROWEST, height=640),
        "double": Camera(*where, ratio=2),
        "largest": Camera(*where, width=NARROWEST, size=TextSize.LARGEST),
    }
    missing: dict[str, str] = {}
    for language in () if options.only or options.house else Language:
        with tried("review", language, missing):
            taken = review.take_pictures(folder, language)
            print(f"{language}: the review, {len(taken)} pictures", flush=True)
    for language in () if options.review else Language:
        with tempfile.TemporaryDirectory() as place:
            taken = [] if options.house else _played(Path(place), language, options.only, missing)
        if not options.only:
            taken += _housed(folder, language, missing)
        for picture in taken:
            with tried(picture.name, language, missing):
                for dark in (False, True):
                    file = folder / f"{picture.name}-{language}-{'dark' if dark else 'light'}.png"
                    camera.take(picture, file, language, dark=dark)
                grey(folder / f"{picture.name}-{language}-light.png", folder / f"{picture.name}-{language}-grey.png")
        for way, other in others.items():
            for picture in taken:
                with tried(picture.name, language, missing):
                    other.take(picture, folder / f"{picture.name}-{language}-{way}.png", language, dark=way == "narrow")
        print(f"{language}: {len(taken)} states, each in light and dark", flush=True)
    _page(folder)
    print(f"Pictures and index.html are in {folder}.")
    without = unreached(rows, folder)
    print("Rows without their pictures: " + (", ".join(without) or "none"))
    for scene, why in missing.items():
        print(f"The scene {scene} did not come about: {why}")
    if missing or without:
        return 1
    if options.readme:
        place = ROOT / "docs" / "pictures"
        place.mkdir(parents=True, exist_ok=True)
        for name, file in README.items():
            shutil.copyfile(folder / file, place / f"{name}.png")
    return 0


def _played(place: Path, language: Language, only: str, missing: dict[str, str]) -> list[Picture]:
    """What the scenes took. A scene that did not come about stands in `missing`, with why."""
    taken: dict[str, Picture] = {}
    scenes = scenes_of(only) if only else SCENES
    if scenes:
        with tried("studio", language, missing), studio(place / "on", language) as on:
            taken = on.taken
            for scene in scenes:
                with tried(scene.__name__, language, missing), _leaving_no_call(on):
                    scene(on)
    if not only or only in WITHOUT_POLICY:
        with tried("without_policy", language, missing):
            taken |= without_policy(place / "without")
    return [picture for name, picture in taken.items() if only in ("", name)]


def _housed(folder: Path, language: Language, missing: dict[str, str]) -> list[Picture]:
    with tried("house", language, missing), tempfile.TemporaryDirectory() as place:
        return [*house.take_pictures(Path(place), language, folder).values()]
    return []


@contextmanager
def tried(name: str, language: Language, missing: dict[str, str]) -> Generator[None]:
    """What fails within does not end the rest: it stands in `missing`, with why."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it was: the other pictures are taken
        missing[f"{name} ({language})"] = f"{type(error).__name__}: {str(error)[:300]}"


@contextmanager
def _leaving_no_call(on: Studio) -> Generator[None]:
    """A scene that fails leaves its call to nobody: the next begins without one."""
    try:
        yield
    except Exception:
        for call in on.on.desk.snapshot.calls if on.on.desk.snapshot else ():
            on.over(call.id)
        raise


def pictures_of(row: str, folder: Path) -> list[Path]:
    ways = ("light", "dark") if row in review.PICTURES | house.REVIEWS else WAYS
    return [folder / f"{row}-{language}-{way}.png" for language in Language for way in ways]


def unreached(rows: Mapping[str, str], folder: Path) -> list[str]:
    """The titles of those that lack a picture in a language or a look."""
    return [title for name, title in rows.items() if not all(file.exists() for file in pictures_of(name, folder))]


def grey(file: Path, into: Path) -> None:
    from PySide6.QtGui import QImage

    QImage(str(file)).convertToFormat(QImage.Format.Format_Grayscale8).save(str(into))


def _page(folder: Path) -> None:
    rows: list[str] = []
    for name, title in ALL.items():
        files = pictures_of(name, folder)
        shown = "".join(f'<img src="{file.name}" loading="lazy">' for file in files if file.exists())
        rows.append(f"<h2>{html.escape(title)}</h2><div>{shown or 'not reached'}</div>")
    style = "body{font:15px sans-serif;margin:2em}img{width:360px;margin-right:8px;vertical-align:top}div{white-space:nowrap}"
    page = f"<!doctype html><meta charset=utf-8><title>Klartone</title><style>{style}</style>{''.join(rows)}"
    (folder / "index.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

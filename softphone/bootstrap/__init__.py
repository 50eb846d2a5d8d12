"""The only place that knows which part is plugged into which. Each command of `cli` is one function of this package.

Each is imported when its command is given: the desk must be quick to appear, and the engine needs no Qt.
"""

from __future__ import annotations

import argparse

from softphone.bootstrap.home import Home, texts

__all__ = [
    "Home",
    "archive_export",
    "archive_list",
    "archive_play",
    "archive_show",
    "archive_sweep",
    "archive_verify",
    "keys_create",
    "run_desk",
    "run_doctor",
    "run_engine",
    "run_plugin_host",
    "texts",
]


def run_desk(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.desk import run_desk

    return run_desk(arguments)


def run_engine(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.engine import run_engine

    return run_engine(arguments)


def run_plugin_host(arguments: argparse.Namespace) -> int:
    from softphone.plugin.host import main

    return main(arguments.folders)


def run_doctor(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.doctor import run_doctor

    return run_doctor(arguments)


def keys_create(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive import keys_create

    return keys_create(arguments)


def archive_list(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive import archive_list

    return archive_list(arguments)


def archive_show(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive import archive_show

    return archive_show(arguments)


def archive_play(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive import archive_play

    return archive_play(arguments)


def archive_export(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive import archive_export

    return archive_export(arguments)


def archive_sweep(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive import archive_sweep

    return archive_sweep(arguments)


def archive_verify(arguments: argparse.Namespace) -> int:
    from softphone.bootstrap.archive import archive_verify

    return archive_verify(arguments)

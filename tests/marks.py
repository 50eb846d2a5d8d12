"""Loaded into every test run: marks become properties of the JUnit file, and Qt draws without a screen."""

import os

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in ("rule", "peer"):
            for mark in item.iter_markers(name):
                item.user_properties.extend((name, str(value)) for value in mark.args)

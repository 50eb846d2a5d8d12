"""Joins JUnit files into one: python .ci/junit.py TARGET SOURCE...

Of a test that is in several, the last one's result counts. Sources that do not exist are left out."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

target, *sources = sys.argv[1:]
suites = ElementTree.Element("testsuites")
seen: dict[tuple[str | None, str | None], tuple[ElementTree.Element, ElementTree.Element]] = {}
for source in filter(lambda source: Path(source).exists(), sources):
    for suite in ElementTree.parse(source).getroot().iter("testsuite"):  # noqa: S314 - our own files
        suites.append(suite)
        for case in suite.findall("testcase"):
            key = case.get("classname"), case.get("name")
            if key in seen:
                earlier, it = seen[key]
                earlier.remove(it)
            seen[key] = suite, case
ElementTree.ElementTree(suites).write(target, encoding="utf-8", xml_declaration=True)

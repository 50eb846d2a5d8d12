"""Joins JUnit files into one: python .ci/junit.py TARGET SOURCE..."""

import sys
import xml.etree.ElementTree as ElementTree

target, *sources = sys.argv[1:]
suites = ElementTree.Element("testsuites")
for source in sources:
    suites.extend(ElementTree.parse(source).getroot().iter("testsuite"))  # noqa: S314 - our own files
ElementTree.ElementTree(suites).write(target, encoding="utf-8", xml_declaration=True)

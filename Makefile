# What a person types. `make run` and `make test` set up all they need.
.DEFAULT_GOAL := help
python := .venv/bin/python

help:
	@echo "make run            a whole recorded call on this machine"
	@echo "make team-demo      a house on this machine: its servers, three desks with callers, a lead, data protection, IT; STAY=1 keeps it"
	@echo "make quick          for every change: lint, import contracts, pure tests; under 90 s"
	@echo "make test           every check: lint, types, import contracts, tests with real peers"
	@echo "make torture        the long ones: hundreds of stops, minutes of sound"
	@echo "make soak           a working day of 400 calls of all kinds on one engine: memory, descriptors, longest turn"
	@echo "make bench          speed and size, as a table and into docs/performance.md"
	@echo "make calendar       what counts days, at twelve days: leap day, summer time, New Year, three time zones"
	@echo "make pictures       the window in every state, from a real engine, into build/pictures"
	@echo "make pictures-reference  the dozen pictures that the tests compare the window with, anew: look at them"
	@echo "make wheel-check    the Python package in an empty environment, with a whole call"
	@echo "make deb            the Debian package, into build/package; as root"
	@echo "make team-deb       the Debian package of the house's service, into build/package; as root"
	@echo "make team-deb-check that package on a bare Debian 13: a house set up by docs/team-setup.md, updated while it serves, out; as root"
	@echo "make deb-check      that package on bare Debian 12 and 13: in, calls, updated in mid-call, out; as root, ten minutes"
	@echo "make wheel          the Python package, into build/package"
	@echo "make sbom           what the package consists of (CycloneDX), checked by its schema, into build/package"
	@echo "make same           packages and wheel made twice, which must be the same bytes; as root"
	@echo "make msi            the package for Windows, by Wine: SIGN=key.p12 signs it (docs/packages.md)"
	@echo "make windows-check  the program and the package for Windows, tried under Wine: a call, a killed engine, in and out"
	@echo "make msi-same       the package for Windows made twice, which must be the same bytes"
	@echo "make rules          docs/rules.md anew, from what the last make test proved"
	@echo "make translations   compile the translation files"
	@echo "make settings       docs/settings.md, docs/da/settings.md and the templates for Group Policy anew, from the settings' schema"
	@echo "make team-api       docs/team-api.json anew, from the routes of the team's service"
	@echo "make lock           resolve the two lock files anew from pyproject.toml (needs uv)"

setup-run:
	@.ci/setup run
	@$(python) .ci/translations.py

setup-test:
	@.ci/setup test
	@$(python) .ci/translations.py

run: setup-run
	@.venv/bin/klartone demo --notice N7 --agent dispute

team-demo: setup-test
	@$(python) -m tests.team_demo $(if $(STAY),--stay)

test: setup-test
	@.ci/test

quick: setup-test
	@.ci/quick

calendar: setup-test
	@PATH="$$PWD/.venv/bin:$$PATH" $(python) .ci/other_day.py calendar

torture:
	@.ci/setup "test|torture"
	@$(python) .ci/translations.py
	@$(python) -m pytest -m torture --timeout=0

soak: setup-test
	@$(python) -m pytest -m torture --timeout=0 -n 0 -s tests/journeys/test_soak.py

bench: setup-test
	@$(python) -m tests.bench --write docs/performance.md

pictures: setup-test
	@$(python) -m tests.pictures --readme

pictures-reference: setup-test
	@$(python) -m tests.pictures.reference

wheel-check: setup-test
	@.ci/wheel-check

setup-package:
	@.ci/setup package
	@$(python) .ci/translations.py

deb: setup-package
	@resources/installer/linux/make_deb

team-deb: setup-package
	@resources/installer/team/make_team_deb

team-deb-check: setup-test
	@$(python) .ci/team_deb.py

deb-check: setup-package
	@.ci/deb-check

wheel: setup-test
	@resources/installer/linux/make_wheel

sbom: setup-test
	@.ci/sbom

same: setup-package
	@.ci/same-bytes

setup-windows:
	@.ci/setup windows
	@$(python) .ci/translations.py

msi: setup-windows
	@.ci/windows/msi

windows-check: setup-windows
	@.ci/windows/check

msi-same: setup-windows
	@.ci/windows/same

rules:
	@$(python) .ci/rules.py build/junit.xml

settings: translations
	@$(python) .ci/settings_tables.py
	@$(python) .ci/fault_tables.py

translations:
	@$(python) .ci/translations.py

team-api:
	@$(python) .ci/team_api.py

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-emit-index-url \
	    --no-annotate --custom-compile-command "make lock" -q pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra setup --no-emit-index-url \
	    --no-annotate --custom-compile-command "make lock" -q pyproject.toml -c requirements.lock -o requirements-run.lock


.PHONY: help run team-demo test quick calendar torture soak bench pictures wheel-check deb team-deb team-deb-check deb-check wheel sbom same msi windows-check msi-same setup-package setup-windows setup-run setup-test rules settings team-api translations lock

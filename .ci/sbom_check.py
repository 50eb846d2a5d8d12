"""Checks a list of parts by CycloneDX's own schema: sbom_check.py FILE"""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

file = Path(sys.argv[1])
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read_text(encoding="utf-8"))
if fault is not None:
    sys.exit(f"{file} is no CycloneDX 1.6: {fault}")
sys.stdout.write(f"{file}: CycloneDX 1.6\n")

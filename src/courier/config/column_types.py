"""Column types as they are written: `integer`, `decimal(12,2)`, `string[]`."""

from __future__ import annotations

import re
from typing import get_args

from courier.config.project import ColumnType, TypeName

TYPE_NAMES: tuple[TypeName, ...] = get_args(TypeName)
MOST_DIGITS = 38
_DECIMAL = re.compile(r"decimal\(\s*([0-9]{1,2})\s*,\s*([0-9]{1,2})\s*\)")


def parse_type(text: str) -> ColumnType:
    """Raises ValueError, whose text says what is wrong."""
    for name in TYPE_NAMES:
        if text == name:
            return ColumnType(name, 19, 4) if name == "decimal" else ColumnType(name)
    found = _DECIMAL.fullmatch(text)
    if not found:
        raise ValueError(f"`{text}` is no column type")
    precision, scale = int(found.group(1)), int(found.group(2))
    if not 1 <= precision <= MOST_DIGITS or scale > precision:
        raise ValueError(f"a decimal has 1 to {MOST_DIGITS} digits, of which its scale is a part")
    return ColumnType("decimal", precision, scale)

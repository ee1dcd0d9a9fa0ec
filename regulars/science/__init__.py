"""What the marts cannot say by counting: what customers will be worth, what will be sold, who is unusual.

Everything here computes only: Arrow tables come in and go out, dates and seeds are arguments, and the result does not
depend on the order of rows or the number of threads. Sources of formulas and their tests: docs/science.md.
"""

from __future__ import annotations

from regulars.errors import ConfigError
from regulars.extras import absent_modules

_absent = absent_modules(("scipy", "sklearn", "statsforecast"))
if _absent:
    raise ConfigError(
        f"this needs {', '.join(_absent)}, which an installation without its extra leaves out",
        remedy="install the project with its extra: pip install 'regulars[science]'; --set science=false runs without it",
    )

"""All tests know the repository by the one name that ``lab`` gives it."""

import lab  # noqa: F401

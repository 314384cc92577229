"""Files that pages load, and a name for their present state, so that a browser never mixes two versions."""

import hashlib
from pathlib import Path
from typing import Final

from fastapi.staticfiles import StaticFiles

STATIC: Final = Path(__file__).parent / "static"


def static_files() -> StaticFiles:
    """The files, as an application of their own."""
    return StaticFiles(directory=STATIC)


def digest() -> str:
    """Changes whenever one of the files does."""
    contents = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        contents.update(path.read_bytes())
    return contents.hexdigest()[:10]

"""Options that several commands have."""

from typing import Annotated

import typer

ApiUrl = Annotated[str | None, typer.Option(help="Where the API is, if not at PUBLIC_URL.")]

"""The Dockerfile keeps step with the code."""

import re
import tomllib

import pytest
from typer.main import get_command

from cli.main import app
from cli.settings import Settings, variables
from tests.deploy.files import ROOT

TEXT = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_copied_and_reaches_the_build(package: str) -> None:
    assert f"\nCOPY {package} {package}\n" in TEXT
    assert f"\n!{package}\n" in (ROOT / ".dockerignore").read_text()


def test_every_file_that_is_copied_exists() -> None:
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split())


def test_the_command_is_the_project_s_and_the_user_is_not_root() -> None:
    [entry] = re.findall(r'^ENTRYPOINT \["(\w+)"\]$', TEXT, re.MULTILINE)
    assert entry in PROJECT["project"]["scripts"]
    assert re.findall(r"^USER (\d+)$", TEXT, re.MULTILINE) == ["10001"]


def test_the_roles_it_names_are_commands() -> None:
    roles = TEXT.splitlines()[0].split("holdfast ")[1].split(" | ")
    assert set(roles) <= set(get_command(app).commands)  # type: ignore[attr-defined]


def test_its_variables_are_read_and_its_ports_are_the_defaults() -> None:
    assert set(re.findall(r"\b(HOLDFAST_\w+)=", TEXT)) <= variables()
    [ports] = re.findall(r"^EXPOSE (.+)$", TEXT, re.MULTILINE)
    names = ("port", "gateway_port", "gateway_internal_port", "sandbox_port", "worker_port")
    assert ports.split() == [str(Settings.model_fields[name].default) for name in names]

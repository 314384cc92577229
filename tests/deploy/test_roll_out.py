"""deploy/kubernetes/roll-out.sh, with a kubectl and a docker that only write down what they are asked."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from cli.main import app
from tests.deploy.files import ROOT, manifests

SCRIPT = ROOT / "deploy" / "kubernetes" / "roll-out.sh"
BUILD_ID = "123456789012"  # all digits: YAML must not take it for a number
KUBECTL = """#!/bin/sh
echo "kubectl $*" >> "$ASKED"
case "$*" in
  "kustomize "*) cat "$OBJECTS" ;;
  "apply -f -") cat > "$APPLIED" ;;
  *"deploy drained"*) exit "$STILL_HAS_CALLS" ;;
esac
"""
DOCKER = f"""#!/bin/sh
echo "docker $*" >> "$ASKED"
echo {BUILD_ID}
"""


class Rolled:
    """One run of the script."""

    def __init__(self, folder: Path, *arguments: str, still_has_calls: bool = False) -> None:
        for name, text in (("kubectl", KUBECTL), ("docker", DOCKER)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self._applied, asked = folder / "applied.yaml", folder / "asked"
        (folder / "objects.yaml").write_text(yaml.safe_dump_all(manifests()))
        environment = {
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "ASKED": str(asked),
            "APPLIED": str(self._applied),
            "OBJECTS": str(folder / "objects.yaml"),
            "STILL_HAS_CALLS": str(int(still_has_calls)),
        }
        run = subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False)
        self.code, self.asked = run.returncode, asked.read_text().splitlines()

    @property
    def applied(self) -> list[dict[str, Any]]:
        """The objects that Kubernetes got."""
        return list(yaml.safe_load_all(self._applied.read_text()))


def test_workers_get_the_version_of_the_image_in_their_names_and_what_selects_them(tmp_path: Path) -> None:
    rolled = Rolled(tmp_path)
    assert rolled.code == 0
    assert rolled.asked[1] == "docker run --rm holdfast deploy id"
    pools = {f"{pool}-{BUILD_ID}" for pool in ("worker-calls", "worker-after-calls", "worker-campaigns")}
    for kind, selects in (
        ("Deployment", {"api", "gateway", *pools}),
        ("PodDisruptionBudget", {"api", "gateway", *pools}),
    ):
        found = [each for each in rolled.applied if each["kind"] == kind]
        assert {each["metadata"]["name"] for each in found} == selects
        selected = [each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] for each in found]
        assert selected == [each["metadata"]["name"] for each in found]
    assert "BUILD_ID" not in yaml.safe_dump_all(rolled.applied)


def test_a_version_becomes_the_current_one_only_when_its_workers_are_up(tmp_path: Path) -> None:
    asked = Rolled(tmp_path).asked
    ready = [at for at, line in enumerate(asked) if "rollout status deployment/worker-" in line]
    [current] = [at for at, line in enumerate(asked) if line.endswith(f"-- holdfast deploy current {BUILD_ID}")]
    assert len(ready) == 3
    assert max(ready) < current


def test_workers_of_a_version_go_when_its_calls_have_ended(tmp_path: Path) -> None:
    rolled = Rolled(tmp_path, "remove", "0123456789ab")
    gone = [line.split(" delete ")[1] for line in rolled.asked if " delete " in line]
    names = [f"{pool}-0123456789ab" for pool in ("worker-calls", "worker-after-calls", "worker-campaigns")]
    assert gone == [f"deployment/{name} poddisruptionbudget/{name}" for name in names]


def test_workers_of_a_version_that_still_has_calls_stay(tmp_path: Path) -> None:
    rolled = Rolled(tmp_path, "remove", "0123456789ab", still_has_calls=True)
    assert rolled.code != 0
    assert not [line for line in rolled.asked if " delete " in line]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"holdfast deploy (\w+)", SCRIPT.read_text()))))
def test_it_asks_for_commands_that_there_are(command: str) -> None:
    assert command in get_command(app).commands["deploy"].commands  # type: ignore[attr-defined]

"""The deployment's files, read as data."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
Document = dict[str, Any]


def compose(*names: str) -> Document:
    """The services of Compose files, later ones on top, as `docker compose -f .. -f ..` puts them together."""
    services: Document = {}
    for name in names:
        for service, described in yaml.safe_load((ROOT / name).read_text())["services"].items():
            before = services.get(service, {})
            environment = before.get("environment", {}) | described.get("environment", {})
            services[service] = before | described | {"environment": environment}
    return services


def manifests() -> list[Document]:
    """Every object that kustomization.yaml applies."""
    folder = ROOT / "deploy" / "kubernetes"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [document for name in listed for document in yaml.safe_load_all((folder / name).read_text())]


def kubernetes_file(name: str) -> Document:
    """One file of deploy/kubernetes with a single object."""
    found: Document = yaml.safe_load((ROOT / "deploy" / "kubernetes" / name).read_text())
    return found


def containers() -> list[tuple[Document, Document]]:
    """(object, container) of every workload."""
    workloads = [document for document in manifests() if document["kind"] in ("Deployment", "Job")]
    return [(workload, each) for workload in workloads for each in workload["spec"]["template"]["spec"]["containers"]]

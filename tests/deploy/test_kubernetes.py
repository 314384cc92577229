"""deploy/kubernetes keeps step with the code."""

from typing import Any

import pytest
from typer.main import get_command

from cli.main import app
from cli.settings import Settings, variables
from core.contracts.names import AFTER_CALLS_QUEUE, CALLS_QUEUE, CAMPAIGNS_QUEUE
from media_gateway.deps import GatewaySettings
from media_gateway.serving import CLOSE_DEADLINE
from tests.deploy.files import Document, containers, kubernetes_file, manifests
from workflows.worker import GRACE

DEPLOYMENTS = [document for document in manifests() if document["kind"] == "Deployment"]
PORTS = {"api": "port", "gateway": "gateway_port", "worker": "worker_port"}
by_name = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["metadata"]["name"])


def container_of(deployment: Document) -> dict[str, Any]:
    [found] = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_there_is_a_worker_deployment_for_each_queue() -> None:
    queues = [container_of(each)["args"][2] for each in DEPLOYMENTS if container_of(each)["args"][0] == "worker"]
    assert queues == [CALLS_QUEUE, AFTER_CALLS_QUEUE, CAMPAIGNS_QUEUE]


def test_each_container_runs_a_command_of_the_cli() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for _, container in containers():
        command, *arguments = container["args"]
        options = {option for parameter in commands[command].params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_configuration_and_secret_hold_only_variables_that_settings_read() -> None:
    config, secret = kubernetes_file("config.yaml")["data"], kubernetes_file("secret.example.yaml")["stringData"]
    assert set(config) | set(secret) <= variables()
    assert not set(config) & set(secret)
    for _, container in containers():
        assert {each["name"] for each in container.get("env", [])} <= variables()
        assert [*map(next, map(iter, container["envFrom"]))] == ["configMapRef", "secretRef"]


def test_secrets_are_by_reference_only() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert secrets
    named = {name.lower().removeprefix("holdfast_") for name in kubernetes_file("config.yaml")["data"]}
    assert not named & secrets


@by_name
def test_probes_ask_the_port_the_role_listens_on(deployment: Document) -> None:
    container = container_of(deployment)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports["http"] == Settings.model_fields[PORTS[container["args"][0]]].default
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == "http"
        assert container[probe]["httpGet"]["path"] in ("/healthz", "/readyz")


@by_name
def test_each_role_states_what_it_needs_and_may_not_do(deployment: Document) -> None:
    container = container_of(deployment)
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True


@by_name
def test_each_role_keeps_its_place_when_nodes_are_drained(deployment: Document) -> None:
    name = deployment["metadata"]["name"]
    budgets = [each for each in manifests() if each["kind"] == "PodDisruptionBudget"]
    selected = [each for each in budgets if each["spec"]["selector"] == deployment["spec"]["selector"]]
    assert [each["spec"]["maxUnavailable"] for each in selected] == [1], name
    assert deployment["spec"]["replicas"] >= 2


def test_a_gateway_is_given_the_time_it_takes_to_hand_its_calls_over() -> None:
    [gateway] = [each for each in DEPLOYMENTS if each["metadata"]["name"] == "gateway"]
    [drain] = [each for each in container_of(gateway)["env"] if each["name"] == "HOLDFAST_DRAIN_SECONDS"]
    takes = before_stop(gateway) + int(drain["value"]) + GatewaySettings.rest + CLOSE_DEADLINE
    assert before_stop(gateway) > 0
    assert gateway["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > takes


def test_workers_are_given_the_time_they_take_to_drain_and_no_more_than_half_a_minute() -> None:
    workers = [each for each in DEPLOYMENTS if container_of(each)["args"][0] == "worker"]
    for worker in workers:
        assert GRACE.total_seconds() < worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] <= 30


def before_stop(deployment: Document) -> int:
    """Seconds from the decision that a pod goes to its SIGTERM."""
    command, seconds = container_of(deployment)["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    return int(seconds)


def test_the_ingress_sends_media_to_the_gateways_and_all_else_to_the_api() -> None:
    [ingress] = [each for each in manifests() if each["kind"] == "Ingress"]
    [rule] = ingress["spec"]["rules"]
    routes = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert routes == {"/twilio/media": "gateway", "/": "api"}
    services = {each["metadata"]["name"] for each in manifests() if each["kind"] == "Service"}
    assert set(routes.values()) <= services

"""holdfast consent, against the API itself."""

from datetime import datetime

from tests.api.test_rest_commands import line_with, run
from tests.api.world import ApiWorld

NUMBER = "+493012345678"


async def test_a_consent_is_put_on_record_shown_and_revoked(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    assert (await run(world, "consent", "show", NUMBER))[0] == 1
    code, said = await run(world, "consent", "add", NUMBER, "--given", "2026-03-01", "--source", "web form")
    assert code == 0, said
    code, said = await run(world, "consent", "show", NUMBER)
    assert code == 0, said
    assert line_with(said, NUMBER, "holds", "given 2026-0", "web form")
    assert (await run(world, "consent", "revoke", NUMBER, "--reason", "by mail"))[0] == 0
    assert line_with((await run(world, "dnc", "log", NUMBER))[1], "consent_revoked", "by mail")
    code, said = await run(world, "consent", "show", NUMBER)
    assert code == 1
    assert line_with(said, NUMBER, "consent_revoked", "given 2026-0", "revoked 20")


async def test_times_are_of_this_machine_or_of_the_zone_that_is_told(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    here = datetime.fromisoformat("2026-03-01T10:00:00").astimezone()
    there = datetime.fromisoformat("2026-03-01T10:00:00+11:00")
    for text, moment in (("2026-03-01T10:00:00", here), ("2026-03-01T10:00:00+1100", there)):
        number = f"{NUMBER}{moment.tzinfo is here.tzinfo:d}"
        assert (await run(world, "consent", "add", number, "--given", text, "--until", "2026-03-02"))[0] == 0
        kept = await world.deps.campaigns.consent_of("default", number)
        assert kept is not None
        assert kept.given_ms == moment.timestamp() * 1_000
        assert line_with((await run(world, "consent", "show", number))[1], "consent_expired", "until 2026-03-0")


async def test_what_was_never_given_can_be_revoked_and_a_later_consent_counts(world_without_temporal: ApiWorld) -> None:
    world = world_without_temporal
    await run(world, "consent", "revoke", NUMBER, "--at", "2026-03-01")
    assert "given" not in line_with((await run(world, "consent", "show", NUMBER))[1], "consent_revoked", "revoked 2026")
    await run(world, "consent", "add", NUMBER)
    code, said = await run(world, "consent", "show", NUMBER)
    assert code == 0, said


async def test_a_number_that_is_none_is_one_line(world_without_temporal: ApiWorld) -> None:
    for command in ("add", "revoke", "show"):
        code, said = await run(world_without_temporal, "consent", command, "030123")
        assert code == 2, said
        assert "number" in said

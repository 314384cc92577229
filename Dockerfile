# One image for every role: docker run holdfast api | gateway | worker | sandbox | migrate
FROM python:3.11-slim-bookworm AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /bin/uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-dev --extra mcp --no-install-project
COPY LICENSE README.md ./
COPY activities activities
COPY api api
COPY cli cli
COPY core core
COPY evals evals
COPY media_gateway media_gateway
COPY playbooks playbooks
COPY sandbox sandbox
COPY storage storage
COPY vendors vendors
COPY workflows workflows
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-dev --extra mcp --no-editable

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home holdfast \
    && install --directory --owner holdfast /var/lib/holdfast /var/lib/holdfast/speech
COPY --from=build /app/.venv /app/.venv
# Huge pages: the sockets of a killed process are closed sooner, once its memory is given back.
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    HOLDFAST_HOST=0.0.0.0 HOLDFAST_LOG_FORMAT=json HOLDFAST_DATA=/var/lib/holdfast
USER 10001
WORKDIR /var/lib/holdfast
EXPOSE 8000 8001 8002 8003 8004
ENTRYPOINT ["holdfast"]
CMD ["--help"]

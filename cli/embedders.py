"""Which embedder finds steps: HOLDFAST_EMBEDDER."""

from enum import StrEnum

import structlog

from core.ngrams import NgramEmbedder
from core.ports.embedder import Embedder
from vendors.minilm_embedder import MiniLmEmbedder, MiniLmMissing

log = structlog.get_logger()


class EmbedderName(StrEnum):
    """By words alone, by meaning, or by meaning where the model is there."""

    AUTO = "auto"
    LEXICAL = "lexical"
    MINILM = "minilm"


def embedder_of(name: EmbedderName) -> Embedder:
    """Load it: up to a second for minilm. Raises MiniLmMissing if exactly that is asked for."""
    if name is EmbedderName.LEXICAL:
        return NgramEmbedder()
    try:
        return MiniLmEmbedder()
    except MiniLmMissing as error:
        if name is EmbedderName.MINILM:
            raise
        log.info("steps_found_by_words_alone", reason=str(error))
        return NgramEmbedder()

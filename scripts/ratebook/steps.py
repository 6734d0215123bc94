"""What every door does around its one call: a log of its own, seconds, and a traceback free of data."""

from __future__ import annotations

import gc
import logging
import sys
import time
import traceback
from pathlib import Path

from ratebook.errors import RatebookError
from ratebook.tables import configure_engine

log = logging.getLogger("ratebook")


def step(main, snakemake) -> None:
    """Run a door's `main`, logging to the rule's file; on failure exit 1 with one line that holds no data.

    Which engine computes, with how much memory and where it spills, changes no row of any table, so it is
    read from the config here and is not a parameter of any rule.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=path, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    engine = snakemake.config["engine"]
    configure_engine(engine["name"], engine["memory"], engine["scratch"], snakemake.threads)
    # Expressions are millions of small objects that live to the end: to look for garbage among every 700 takes a tenth.
    gc.set_threshold(100_000)
    start = time.perf_counter()
    try:
        main(snakemake)
    except RatebookError as error:
        log.error("%s", error)
        sys.exit(f"{snakemake.rule}: {error}")
    except Exception as error:
        where = "; ".join(
            f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        )
        log.error("%s at %s (its message is withheld: it may quote data)", type(error).__name__, where)
        sys.exit(f"{snakemake.rule}: {type(error).__name__}; see {path}")
    log.info("done in %.1f seconds", time.perf_counter() - start)

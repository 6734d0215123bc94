"""What several rule files share: the checked config, the core's path, and the code a door runs."""

import os
import sys

from snakemake.utils import validate

sys.path.append(os.path.join(workflow.basedir, "scripts"))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ratebook.provenance import code_of

validate(config, os.path.join(workflow.basedir, "workflow/schemas/config.schema.yaml"))

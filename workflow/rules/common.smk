"""What several rule files share: the checked config, the core's path, and the code a door runs."""

import os
import sys

sys.path.append(os.path.join(workflow.basedir, "scripts"))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ratebook.provenance import code_of
from ratebook.settings import check_settings

check_settings(
    config,
    os.path.join(workflow.basedir, "workflow/schemas/config.schema.yaml"),
    os.environ,
)

# A rule that reads claims takes half of the machine's cores, so that another runs beside it; one that nearly every
# other waits for takes all of them.
ALL = os.cpu_count()
HALF = max(1, ALL // 2)

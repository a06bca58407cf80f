"""What people see."""

import os

# Before numpy is loaded: its matrices are small here, and threads that share busy cores wait for one another
# at each product. The membership attack took 40 times as long with two threads on two busy cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

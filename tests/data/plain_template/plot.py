# ruff: noqa: ICN001, PTH112, PTH118, PTH123, PTH208  (the habits of the folders that this one stands for)
import os
import pickle

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

labels = {
    "run_0": "Baseline",
}

plt.figure()
for run in sorted(d for d in os.listdir(".") if d.startswith("run_") and os.path.isdir(d)):
    with open(os.path.join(run, "all_results.pkl"), "rb") as f:
        results = pickle.load(f)
    sample = np.load(os.path.join(run, "sample.npz"))["sample"]
    plt.plot(sample, alpha=0.3)
    plt.plot(results["smooth"], label=labels.get(run, run))
plt.xlabel("place in the sample")
plt.ylabel("value")
plt.legend()
plt.savefig("smooth.png")

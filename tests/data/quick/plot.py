"""python plot.py

Writes final_loss.png from every run_*/final_info.json.
"""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

labels = {
    "run_0": "Baseline",
}

figure, axis = plt.subplots(figsize=(4, 3), layout="constrained")
for place, path in enumerate(sorted(Path().glob("run_*/final_info.json"))):
    line = json.loads(path.read_text())["line"]
    name = labels.get(path.parent.name, path.parent.name)
    axis.bar(place, line["means"]["final_loss_mean"], label=name)
axis.set_xticks([])
axis.set_ylabel("held-out loss")
axis.legend()
figure.savefig("final_loss.png", dpi=300)

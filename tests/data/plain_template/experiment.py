# ruff: noqa: PTH103, PTH110, PTH118, PTH123  (the habits of the folders that this one stands for)
# A folder in the AI Scientist's format, habits included: data by a relative path, a pickle, an .npz.
import argparse
import json
import os
import pickle

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--out_dir", type=str, default="run_0")
args = parser.parse_args()
os.makedirs(args.out_dir, exist_ok=True)

path = "../../../data/numbers.txt"
if os.path.exists(path):
    sample, source = np.loadtxt(path), "staged"
else:
    sample, source = np.random.default_rng(0).normal(2.0, 1.0, 100), "made up"

window = 10
smooth = np.convolve(sample, np.ones(window) / window, mode="valid")
final_info = {
    "numbers": {
        "means": {
            "mean": float(sample.mean()),
            "spread": {"std": float(sample.std()), "source": source},
        }
    },
    "smoothed": {"means": float(smooth.std())},
}
with open(os.path.join(args.out_dir, "final_info.json"), "w") as f:
    json.dump(final_info, f)
with open(os.path.join(args.out_dir, "all_results.pkl"), "wb") as f:
    pickle.dump({"window": window, "smooth": smooth.tolist()}, f)
np.savez(os.path.join(args.out_dir, "sample.npz"), sample=sample)

"""What the host looks at in what a model wrote or a run left."""

"""What a results folder of the AI Scientist says: the idea, its runs, its figures, its paper, its reviews."""

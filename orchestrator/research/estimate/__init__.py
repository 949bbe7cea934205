"""What a run will take, from what recorded ideas took: measured, weighed, never guessed by hand."""

"""How well a reviewer's scores agree with people's decisions on the same papers.

::

    delimited.py    CSV and TSV text as cells, each with its line and column
    tables.py       the ratings of people, the reviews of a model: read strictly
    joining.py      both on the same papers, and what is left out, by name and reason
    metrics.py      accuracy, F1, AUC and others, from counts alone
    bootstrap.py    each metric with its interval, from papers drawn again
    review_log.py   the reviews of a benchmark that can go on after an interrupt
    driving.py      asks a reviewer for each paper once
    published.py    figures of others, for comparison
    curves.py       the plots; comparison.py: the page

The positive class is *Accept* everywhere: a false positive is a paper that people rejected and the
reviewer accepts.
"""

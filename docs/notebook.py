# %% [markdown]
# # Table 7 from Python
#
# The same that `repro make table7 --profile digits` does, cell by cell. Open this file as a
# notebook where your editor can (VS Code, PyCharm, Jupyter with jupytext), or run it:
# `python docs/notebook.py`, in the folder of the project.

# %%
from harness import Study

study = Study.open()

# %% [markdown]
# What would a make do here, and how long would it take?

# %%
planned = study.plan("table7", profile="digits")
print(f"{len(planned.todo)} of {len(planned.steps)} steps to run, {planned.remaining.mid:.0f} s")

# %% [markdown]
# Run what has no record yet. A second run finds all records and trains nothing.

# %%
made = study.make("table7", profile="digits", device="cpu")
assert not made.problems, made.problems

# %% [markdown]
# The judged table: reported above reproduced, with verdicts, and the claims about it. As the last
# expression of a notebook's cell, `judged` alone shows it with colours.

# %%
judged = study.judge("table7", profile="digits")
print(judged)

# %% [markdown]
# Everything is a typed object: numbers are in the unit of the table (percent top-1 here), and each
# verdict has its difference (ours minus reported), its 95 % interval and its reason.

# %%
for result in judged.judgement.results:
    verdict = judged.judgement.verdict(result)
    assert verdict is not None
    if result.amount is not None:
        print(f"{result.item.address}: {result.amount.mean:.2f}, {verdict.name}")

# %% [markdown]
# What does it rest on that the paper does not say?

# %%
for setting in study.assumptions("table7", profile="digits")[:5]:
    choice = setting.used.choice
    print(f"{setting.titled} = {setting.used.value}: {choice.why or choice.place}")

"""Does the paper hold here?"""

from bridgeviz.ui.panels import evidence, formula, page
from bridgeviz.ui.state import router

router.ensure()
page.question(
    "Does the paper hold here?",
    "Each figure of the paper makes a claim. Here is what the same measurement gave with this code, on two cores, "
    "whether it agrees or not.",
)
evidence.claims()
evidence.own_runs()
formula.of_page("paper")
page.next_page("which_method", "which method should you use?")

"""Which method should you use?"""

from bridgeviz.ui.panels import evidence, formula, page
from bridgeviz.ui.state import router

router.ensure()
page.question(
    "Which method should you use?",
    "It depends on how the two spaces are related and on how many pairs are known. These are the best rivals and the "
    "methods of bridgeviz in one picture, on real data of eight kinds.",
)
evidence.methods()
evidence.present()
formula.of_page("which_method")
page.next_page("your_data", "bring your own data")

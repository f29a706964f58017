"""What decides whether an alignment works? Six lessons of a few steps, each a bet and then a measurement."""

from bridgeviz.ui.panels import formula, lessons, page
from bridgeviz.ui.state import router

router.ensure()
page.question("What decides whether an alignment works?", "Bet first, then see what is measured, here and now.")
lessons.show()
formula.of_page("lessons")
page.next_page("data", "what are the two spaces?")

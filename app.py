"""The main script: the page that the link asks for, and the sidebar that all pages share."""

from bridgeviz.ui.panels import sidebar
from bridgeviz.ui.state import router
from bridgeviz.ui.work import priority

page = router.route()
sidebar.draw()
page.run()
priority.settle()

"""The router: one file a page, in the order that `bridgeviz.ui.router` gives."""

from bridgeviz.ui import courtesy, jobs, router

page = router.route()
jobs.line()
page.run()
courtesy.settle()

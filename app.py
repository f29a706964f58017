"""The app. Streamlit imports this file once to start its server, and runs it as the main script of each session."""

if __name__ != "__main__":
    from starlette.middleware import Middleware
    from streamlit.starlette import App

    from bridgeviz.ui import plotly_script
    from bridgeviz.ui.origin import KnownOrigins

    app = App(__file__, routes=[plotly_script.route()], middleware=[Middleware(KnownOrigins)])
else:
    from bridgeviz.ui.panels import sidebar, style
    from bridgeviz.ui.state import router
    from bridgeviz.ui.work import priority

    page = router.route()  # the page that the link asks for; the sidebar is shared by all
    style.apply()
    sidebar.draw()
    page.run()
    priority.settle()

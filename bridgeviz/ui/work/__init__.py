"""Long work in the background: jobs, their queue, trainings, saved runs. No job calls streamlit."""

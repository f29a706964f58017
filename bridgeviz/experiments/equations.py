"""The paper's equations that no cost and no solver states, in LaTeX: for pages and lessons."""

MAP = r"T : \mathcal{X} \to \mathcal{Y}, \qquad f_Y(d^y) \approx T(f_X(d^x))"
PLAN = r"\pi^* = \arg\min_{\pi} \sum_{ij} C_{ij} \pi_{ij} - \epsilon H(\pi) + \text{marginal terms} \quad (1)"
LOSS = r"\mathcal{L}(\theta) = \mathbb{E} \, \| v_{t,\theta}(t y + (1 - t) z \mid x) - (y - z) \|^2 \quad (4)"
SOLVE = r"\hat{y} = \mathrm{ODESolve}(v_{t,\theta}(\cdot \mid x), z, t_0 = 0, t_1 = 1) \quad (12)"
OVERLAP = r"\mathrm{overlap}(x_i) = \frac{1}{k} \sum_{x_j \in \mathrm{kNN}(x_i)} \mathbb{1}(l_j \neq l_i) \quad (21)"
NEAREST = r"\hat{l}_j = l_{k}, \qquad k = \arg\min_i \; 1 - \cos(\hat{y}_j, y_i) \quad (25)"
ACCURACY = r"\mathrm{accuracy} = \frac{1}{n} \sum_{j=1}^{n} \mathbb{1}(\hat{l}_j = l_j) \quad (26)"
TAU = r"\tau = \frac{\lambda}{\lambda + \epsilon} \quad (28)"
PARTNER = (
    r"\mathrm{FOSCTTM} = \frac{1}{n} \sum_{i} \frac{\#\{ j : \|\hat{y}_i - y_j\| < \|\hat{y}_i - y_{i}\| \}}{m - 1}"
)

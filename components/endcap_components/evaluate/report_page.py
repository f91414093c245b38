"""The report's template (Jinja, escaped by default)."""

DECISION_PLACE = "<!-- the gate's decision -->"
"""Where the gate, which comes after the evaluation, writes what it said."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation up to {{ evaluation.data_end.date() }}</title>
<style>{{ style|safe }}</style>
</head>
<body><main>
<h1>Evaluation</h1>
<p class="soft">Weights saw {{ evaluation.data_start.date() }} to {{ evaluation.cut.date() }};
lists are judged by the {{ evaluation.horizon_days }} days from there on. Intervals: 95 %, bootstrap over users.</p>
<div class="cards">
{% for card in headline %}<div class="card"><b>{{ card.value }}</b>{{ card.text }}<br><small>{{ card.against }}</small></div>
{% endfor %}</div>
<!-- the gate's decision -->
{% for truth in truths %}
<section>
<h2>{{ truth.title[0]|upper }}{{ truth.title[1:] }}</h2>
<p class="soft">{{ "{:,}".format(truth.figures.users) }} users with {{ "%.1f"|format(truth.figures.items_per_user) }} items each on average.
The best of each column is set bold.</p>
<div class="scroll"><table>
<thead><tr><th>model</th>{% for metric in truth.metrics %}<th>{{ metric }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in truth.rows %}<tr{% if row.is_full %} class="full"{% endif %}><td>{{ row.model }}</td>
{% for figure, is_best in row.cells %}<td{% if is_best %} class="best"{% endif %}>{% if figure %}{{ "%.3f"|format(figure.mean) }}
<small>{{ "%.3f"|format(figure.low) }} to {{ "%.3f"|format(figure.high) }}</small>{% else %}-{% endif %}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
<div class="plots">
<figure><figcaption>Ranking</figcaption>{{ truth.ndcg }}</figure>
<figure><figcaption>Retrieval</figcaption>{{ truth.recall }}</figure>
</div>
{% if truth.segments %}<div class="plots"><figure><figcaption>By segment, against {{ truth.baseline }}</figcaption>
{{ truth.segments }}</figure></div>{% endif %}
</section>
{% endfor %}
<section>
<h2>Calibration of the ranker</h2>
<p class="soft">Candidates in bins of equal size: what the ranker said, and what happened.</p>
<div class="plots"><figure>{{ reliability }}</figure></div>
</section>
<section>
<h2>Data</h2>
<dl>
<dt>events</dt><dd>{{ evaluation.data_start.isoformat() }} to {{ evaluation.data_end.isoformat() }}</dd>
<dt>cut</dt><dd>{{ evaluation.cut.isoformat() }}</dd>
<dt>items that may be recommended</dt>
<dd>{{ "{:,}".format(evaluation.eligible_items) }} (bought by at least {{ evaluation.min_buyers }} users)</dd>
<dt>candidates a user</dt><dd>at most {{ "{:,}".format(evaluation.candidates_max) }}</dd>
<dt>dataset</dt><dd><code>{{ evaluation.dataset_fingerprint }}</code></dd>
</dl>
<p class="soft" style="margin-top:14px">Diversity: share of a list's pairs from different categories. Novelty: mean self-information of a
list's items in bits. Coverage: share of the catalogue that stands in at least one list.</p>
</section>
</main></body>
</html>
"""

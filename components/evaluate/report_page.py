"""The report's template (Jinja, escaped by default)."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation up to {{ evaluation.data_end.date() }}</title>
<style>
  :root { --ink: #22282c; --soft: #66727a; --line: #e1e6e9; --accent: #0b6e6e; --paper: #fff; --wash: #f4f7f7; }
  * { box-sizing: border-box; }
  body { margin: 0;
    font: 15px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: var(--wash); }
  main { max-width: 1240px; margin: 0 auto; padding: 32px 20px 64px; }
  h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 0 0 2px; }
  p.soft, .soft { color: var(--soft); margin: 0 0 12px; }
  section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 22px 24px; margin-top: 20px; }
  .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 16px; margin-top: 20px; }
  .card { background: var(--paper); border: 1px solid var(--line);
    border-left: 4px solid var(--accent); border-radius: 8px; padding: 14px 18px; }
  .card b { display: block; font-size: 30px; line-height: 1.2; color: var(--accent); font-variant-numeric: tabular-nums; }
  .card small { color: var(--soft); }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
  th, td { text-align: right; padding: 7px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; }
  th { font-weight: 600; color: var(--soft); } td small { display: block; color: var(--soft); font-size: 11px; }
  tr.full td { background: #eef6f6; } td.best { font-weight: 700; color: var(--accent); }
  .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 18px; margin-top: 18px; }
  figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: 6px; }
  svg { width: 100%; height: auto; max-width: 640px; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 10px 0 0; }
  dt { color: var(--soft); } dd { margin: 0; }
</style>
</head>
<body><main>
<h1>Evaluation</h1>
<p class="soft">Weights saw {{ evaluation.data_start.date() }} to {{ evaluation.cut.date() }};
lists are judged by the {{ evaluation.horizon_days }} days from there on. Intervals: 95 %, bootstrap over users.</p>
<div class="cards">
{% for card in headline %}<div class="card"><b>{{ card.value }}</b>{{ card.text }}<br><small>{{ card.against }}</small></div>
{% endfor %}</div>
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

# The report's page and its parts, compiled in: limber_report_page stands in report.cc.
set(evaluate ${PROJECT_SOURCE_DIR}/limber/training/evaluate)
set(uplot ${PROJECT_SOURCE_DIR}/third_party/uplot)
limber_embed(limber_training_evaluate limber_report_page ${evaluate}/report_page.html)
limber_embed(limber_training_evaluate limber_report_style ${evaluate}/report_page.css)
limber_embed(limber_training_evaluate limber_report_script ${evaluate}/report_page.js)
limber_embed(limber_training_evaluate limber_report_charts ${evaluate}/report_charts.js)
limber_embed(limber_training_evaluate limber_uplot_script ${uplot}/uPlot.iife.min.js)
limber_embed(limber_training_evaluate limber_uplot_style ${uplot}/uPlot.min.css)

limber_embed(limber_serving_serve limber_console_page ${folder}/console.html)

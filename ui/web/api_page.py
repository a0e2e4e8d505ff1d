"""The API's schema as a page: no script, nothing is fetched."""

from __future__ import annotations

import json
from typing import Any

from ui.web.text import escaped

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}code,pre{font-family:ui-monospace,monospace}"
    "pre{overflow:auto;border:1px solid #8884;border-radius:6px;padding:.6rem}"
    "section{border-top:1px solid #8884;margin-top:1.5rem}"
)
EXAMPLE = """from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:7860/v1", api_key="ut-...")
answer = client.chat.completions.create(
    model="unitutor", messages=[{"role": "user", "content": "What is a latent space?"}]
)
print(answer.choices[0].message.content)"""


def page_html(schema: dict[str, Any]) -> str:
    """The whole page."""
    parts = [
        _route(path, method, about, schema)
        for path, methods in schema["paths"].items()
        for method, about in methods.items()
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Unitutor: the API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f"<h1>The API</h1><p>{escaped(schema['info']['description'])}</p>"
        f"<p>The schema: <a href='openapi.json'>openapi.json</a></p><pre>{escaped(EXAMPLE)}</pre>"
        f"{''.join(parts)}</main></body></html>"
    )


def _route(path: str, method: str, about: dict[str, Any], schema: dict[str, Any]) -> str:
    content = about.get("requestBody", {}).get("content", {})
    bodies = [
        f"<p><code>{escaped(kind)}</code></p><pre>{escaped(json.dumps(_shown(one, schema), indent=2))}</pre>"
        for kind, one in content.items()
    ]
    said = about.get("description") or about.get("summary", "")
    return (
        f"<section><h2><code>{escaped(method.upper())} {escaped(path)}</code></h2>"
        f"<p>{escaped(said)}</p>{''.join(bodies)}</section>"
    )


def _shown(body: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of a request's body, where it has a model of its own."""
    name = str(body.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    found = schema.get("components", {}).get("schemas", {}).get(name, body.get("schema", {}))
    return dict(found.get("properties", found))

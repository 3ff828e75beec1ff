"""The tools of ``embodied.tools`` over the Model Context Protocol, on stdio and streamable HTTP."""

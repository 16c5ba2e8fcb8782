"""The web app in a real Chromium, against the real server and its simulator."""

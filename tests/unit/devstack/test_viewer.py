"""The page of the viewer."""

from devstack.viewer import create_app


def test_the_page_fits_the_width_of_a_phone() -> None:
    page = create_app("http://127.0.0.1:1").test_client().get("/").get_data(as_text=True)

    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    assert page.index("<head>") < page.index(viewport) < page.index("</head>")
    assert page.count(viewport) == 1


def test_files_of_the_page_are_sent_as_they_are() -> None:
    client = create_app("http://127.0.0.1:1").test_client()

    for path in ("oauth2-redirect.html", "swagger-ui.css"):
        response = client.get(f"/{path}")
        assert response.status_code == 200
        assert "viewport" not in response.get_data(as_text=True)[:2000]
        response.close()

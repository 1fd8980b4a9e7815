# The analysis node. Build from the repository's root:
#   docker build -f deploy/edge.Dockerfile -t kitchen-watch-edge .
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY configs configs
COPY models/kitchen-yolo26n.onnx models/kitchen-yolo26n.yaml \
  models/kitchen-yolo26n-int8.xml models/kitchen-yolo26n-int8.bin models/
COPY src src
RUN python -m venv /opt/kitchen-watch \
 && /opt/kitchen-watch/bin/pip install --no-cache-dir --constraint requirements.lock .

FROM python:3.12-slim-bookworm
# OpenCV asks for these two at import.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/kitchen-watch kitchen-watch
COPY --from=build /opt/kitchen-watch /opt/kitchen-watch
ENV PATH=/opt/kitchen-watch/bin:$PATH PYTHONUNBUFFERED=1
USER kitchen-watch
WORKDIR /var/lib/kitchen-watch
VOLUME /var/lib/kitchen-watch
EXPOSE 9300
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9300/healthz', timeout=4)"]
ENTRYPOINT ["kitchen-watch"]
CMD ["edge", "--config", "/etc/kitchen-watch/edge.yaml"]

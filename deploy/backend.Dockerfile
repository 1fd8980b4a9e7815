# The supervision service, without the media libraries that only the edge needs. Build from the root:
#   docker build -f deploy/backend.Dockerfile -t kitchen-watch-backend .
FROM python:3.12-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE deploy/backend-requirements.txt ./
COPY configs configs
COPY models/kitchen-yolo26n.onnx models/kitchen-yolo26n.yaml \
  models/kitchen-yolo26n-int8.xml models/kitchen-yolo26n-int8.bin models/
COPY src src
RUN python -m venv /opt/kitchen-watch \
 && /opt/kitchen-watch/bin/pip install --no-cache-dir --constraint requirements.lock -r backend-requirements.txt \
 && /opt/kitchen-watch/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/kitchen-watch kitchen-watch
COPY --from=build /opt/kitchen-watch /opt/kitchen-watch
ENV PATH=/opt/kitchen-watch/bin:$PATH PYTHONUNBUFFERED=1
USER kitchen-watch
WORKDIR /var/lib/kitchen-watch
VOLUME /var/lib/kitchen-watch
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["kitchen-watch"]
CMD ["backend", "--config", "/etc/kitchen-watch/backend.yaml"]

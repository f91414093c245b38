#!/bin/bash
# What Spark calls a pod of this image with: `driver ...`, `executor`, or any command of one's own. The variables are those that Spark sets.
set -euo pipefail

jars="${SPARK_EXTRA_CLASSPATH:+${SPARK_EXTRA_CLASSPATH}:}${SPARK_CONF_DIR:-${SPARK_HOME}/conf}:${HADOOP_CONF_DIR:+${HADOOP_CONF_DIR}:}${SPARK_HOME}/jars/*"

case "${1:-}" in
driver)
  shift
  command=("${SPARK_HOME}/bin/spark-submit" --conf "spark.driver.bindAddress=${SPARK_DRIVER_BIND_ADDRESS}" --deploy-mode client "$@")
  ;;
executor)
  # Each option of the executor's Java is a variable of its own, numbered, so that it may hold spaces.
  options=()
  for ((number = 0; ; number++)); do
    name="SPARK_JAVA_OPT_${number}"
    [[ -v ${name} ]] || break
    options+=("${!name}")
  done
  command=(
    java "${options[@]}" "-Xms${SPARK_EXECUTOR_MEMORY}" "-Xmx${SPARK_EXECUTOR_MEMORY}" -cp "${jars}"
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend
    --driver-url "${SPARK_DRIVER_URL}"
    --executor-id "${SPARK_EXECUTOR_ID}"
    --cores "${SPARK_EXECUTOR_CORES}"
    --app-id "${SPARK_APPLICATION_ID}"
    --hostname "${SPARK_EXECUTOR_POD_IP}"
    --resourceProfileId "${SPARK_RESOURCE_PROFILE_ID}"
    --podName "${SPARK_EXECUTOR_POD_NAME}"
  )
  ;;
*)
  command=("$@")
  ;;
esac

exec tini -s -- "${command[@]}"

#!/bin/sh
# roll-out.sh                   roll out the image that kustomization.yaml names
# roll-out.sh remove BUILD_ID   take away the workers of a version whose calls have all ended
# Needs kubectl, and docker to ask the image for its version of the workflows (docs/deploys.md).
set -eu
here=$(dirname "$0")
kubectl="kubectl --namespace holdfast"

if [ "${1-}" = remove ]; then
    $kubectl exec deployment/api -- holdfast deploy drained "$2"
    for pool in worker-calls worker-after-calls worker-campaigns; do
        $kubectl delete "deployment/$pool-$2" "poddisruptionbudget/$pool-$2"
    done
    exit
fi

objects=$(kubectl kustomize "$here")
image=$(printf '%s\n' "$objects" | sed -n 's/^[ -]*image: *//p' | sort -u)
build_id=$(docker run --rm "$image" deploy id)
$kubectl delete job migrate --ignore-not-found
printf '%s\n' "$objects" | sed "s/BUILD_ID/$build_id/g" | kubectl apply -f -
$kubectl wait job/migrate --for=condition=complete --timeout=10m
for role in api gateway "worker-calls-$build_id" "worker-after-calls-$build_id" "worker-campaigns-$build_id"; do
    $kubectl rollout status "deployment/$role" --timeout=10m
done
$kubectl exec "deployment/worker-calls-$build_id" -- holdfast deploy current "$build_id"
$kubectl exec "deployment/worker-calls-$build_id" -- holdfast deploy versions

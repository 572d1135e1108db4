#!/usr/bin/env bash
# Makes a private CA and a certificate per node, for disttrain.tls in cluster.conf.
#
#   deploy/make-ca.sh FOLDER HOST...      for example: deploy/make-ca.sh tls 192.168.1.10 192.168.1.11 laptop.local
#
# FOLDER/ca.crt goes to every node; FOLDER/HOST.crt and FOLDER/HOST.key go to that node alone. FOLDER/ca.key signs: keep it off the nodes.
# Run again with the same folder, it adds nodes to the same CA.
set -euo pipefail

if [ "$#" -lt 2 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

folder=$1
shift
umask 077
mkdir -p "$folder"

if [ ! -f "$folder/ca.key" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=DistTrain cluster CA" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$folder/ca.key" -out "$folder/ca.crt" 2>/dev/null
fi

for host in "$@"; do
    case $host in
        *[!0-9.]*) name="DNS:$host" ;;
        *) name="IP:$host" ;;
    esac

    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$host" \
        -keyout "$folder/$host.key" -out "$folder/$host.csr" 2>/dev/null
    openssl x509 -req -in "$folder/$host.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 825 -out "$folder/$host.crt" \
        -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n' "$name") 2>/dev/null
    rm "$folder/$host.csr"
    echo "$folder/$host.crt $folder/$host.key"
done

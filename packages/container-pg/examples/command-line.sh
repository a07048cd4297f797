# examples/command-line.sh
container-pg doctor
container-pg create alice --database shop --password-file ./password
container-pg list
container-pg dump alice shop ./shop.dump
container-pg restore alice shop-copy ./shop.dump
container-pg remove alice --keep-data

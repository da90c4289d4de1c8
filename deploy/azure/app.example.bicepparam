// Copy it to app.bicepparam, and fill it in. Next to it: azure-lattice-sync.yaml, the configuration.
using './app.bicep'

param image = 'example.azurecr.io/azure-lattice-sync:0.1.0'
param registryServer = 'example.azurecr.io'
param mode = 'daemon'
param configuration = loadTextContent('azure-lattice-sync.yaml')

// The output "app" of foundation.bicep: az deployment group show --resource-group als --name foundation --query properties.outputs.app.value
param identityName = 'als-identity'
param vaultName = 'als-abcdefghijklm'
param workspaceName = 'als-logs'
param subnetId = '/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/als/providers/Microsoft.Network/virtualNetworks/als-network/subnets/apps'
param databaseHost = 'als-abcdefghijklm.postgres.database.azure.com'
